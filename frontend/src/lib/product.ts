export const productName = 'Pipeline Kit'
